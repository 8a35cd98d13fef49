"""What can be asked of the gateway, a file each."""
