"""The terms that a grant was earned under."""

from __future__ import annotations

from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.grant_terms import Terms
from rewardkit.core.storing.rows import GrantRow
from rewardkit.errors import InvariantError


def terms_of(row: GrantRow, catalogue: Catalogue) -> Terms:
    """The terms that a grant was earned under."""
    if row.referral:
        return catalogue.referrals.program_versions[row.offer, row.offer_version].terms
    offer = catalogue.offer_versions.get((row.offer, row.offer_version))
    if offer is None:
        raise InvariantError(f"grant `{row.id}` names a version of offer `{row.offer}` that is not there")
    return offer.terms
