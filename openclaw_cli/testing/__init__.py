"""What a thing of each kind promises, as tests: for whoever writes one, here or elsewhere."""
