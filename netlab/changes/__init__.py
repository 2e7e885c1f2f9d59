"""What became different between two looks at a lab: the only place that compares two snapshots and words the difference."""
