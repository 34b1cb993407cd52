"""Cooperatives, companies and workshops that collect, process and ship."""
