"""Delivery of messages, for officials."""
