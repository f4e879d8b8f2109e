"""What a request reads first, and what its page reads ahead."""
