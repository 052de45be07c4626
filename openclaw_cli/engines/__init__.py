"""What carries requests to other machines: `celery`. On one machine nothing does."""
