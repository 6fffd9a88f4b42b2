"""Staff: how they sign in to the admin site, the session that both sites share, and what its pages have in common."""
