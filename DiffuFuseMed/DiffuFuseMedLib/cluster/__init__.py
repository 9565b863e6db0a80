"""Many machines for one cohort or benchmark: workers on the nodes of a Ray cluster. The only place that imports ray."""
