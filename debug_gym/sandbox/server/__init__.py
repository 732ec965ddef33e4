"""Code that runs inside the sandbox: standard library only, Python 3.7 or newer."""
