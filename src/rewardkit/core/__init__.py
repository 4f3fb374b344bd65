"""The rules of incentives: what a command, an event or the passing of time decides. Pure."""
