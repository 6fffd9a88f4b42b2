"""Who keeps the accounts: what every provider offers, and the accounts of this site itself."""
