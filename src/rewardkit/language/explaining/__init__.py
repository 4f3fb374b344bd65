"""Why a verdict is what it is, with proof; how far it has come; and a checker that takes nobody's word."""
