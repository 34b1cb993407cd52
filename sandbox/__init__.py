"""A payment provider that lives on this machine: Stripe's wire and hosted page, no real money.

A tool for developing, demonstrating and testing. The shop does not import it; it speaks to it as
it would to Stripe, through the stripe package. What Stripe would refuse it refuses. Beside it
(`sandbox.openid`) stands an OpenID provider for trying out signing in.
"""
