"""Generation for many at a time on one model and its experts, and an endpoint around it. Knows no agents."""
