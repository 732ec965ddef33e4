"""What a person sees of the commands: tables, live views, summaries."""
