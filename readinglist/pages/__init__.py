"""What a page shows: text and runs in, HTML out."""
