"""The households of the villages: who they are, what they consented to, who helps them."""
