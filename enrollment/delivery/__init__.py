"""Delivery of messages: what a sender claims, how each message ends, receipts, and numbers that do not receive."""
