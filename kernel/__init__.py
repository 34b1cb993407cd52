"""The ground every room stands on: money, quantities, codes, database, people, audit, web.

The kernel knows no business and never imports another room.
"""
