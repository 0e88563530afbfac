"""What CI systems take: matrices, pipelines and workflows, made of jobs."""
