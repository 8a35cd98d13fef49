"""What a release is made of: the wheel, the sdist, what they need, and where they run."""
