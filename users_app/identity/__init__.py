"""Who keeps the accounts: the interface of every provider, and the provider of this site itself."""
