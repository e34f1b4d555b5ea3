"""What the tests of reliability share: writes and their oracle, a disk that records, a checker of histories."""
