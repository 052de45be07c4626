"""What several backends share: how one signs in, and whether a file may be believed."""
