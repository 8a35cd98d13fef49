"""`aldo serve` beside other gateways: the same upstream, the same load, one run."""
