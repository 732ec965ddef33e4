"""The gym for trainers in other processes and languages: episodes over JSON, and a client for Python."""
