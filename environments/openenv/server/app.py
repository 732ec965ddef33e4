"""What OpenEnv serves as ``server.app:app``; the variable ``DEBUG_GYM_OPENENV`` says which benchmark."""

import uvicorn

from debug_gym.integrations.openenv import app_of_environ

app = app_of_environ()


def main() -> None:
    """Serve this machine."""
    uvicorn.run(app, host="127.0.0.1", port=8000)


if __name__ == "__main__":
    main()
