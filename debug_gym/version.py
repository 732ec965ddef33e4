"""The version of debug-gym, also where it is a checkout that is not installed."""

VERSION = "0.1.0"
