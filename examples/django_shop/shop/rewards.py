"""The shop's kit: one for each process, shared by its threads.

It opens no connection before its first use, so a server may load this module and fork its workers afterwards.
"""

from __future__ import annotations

import logging

from django.conf import settings

import rewardkit as rk

LOG = logging.getLogger(__name__)


def tell(notice: rk.Notice) -> None:
    """Called after the commit; here a mail or a push would leave, or a `rk.WebhookNotifier` takes this one's place."""
    LOG.warning("telling %s: %s", notice.user, notice.kind)


kit = rk.RewardKit(settings.REWARDKIT_STORE, notifiers=[tell])
