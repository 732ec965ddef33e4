import pytest

from debug_gym.runs.config import load_config
from debug_gym.runs.plan import prepare
from debug_gym.runs.sightings import is_remote, sightings
from debug_gym.task import DirectorySource


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", "A=1"),
        ("conf/.env.production", ""),
        ("id_ed25519", ""),
        ("server.pem", ""),
        ("secrets.yaml", ""),
        ("notes.txt", "aws = AKIAABCDEFGHIJKLMNOP"),
        ("a.py", f"token = 'ghp_{'a' * 36}'"),
        ("key.txt", "-----BEGIN RSA PRIVATE KEY-----"),
        ("conf/prod.json", f'{{"aws_secret_access_key": "wJalr7{"U" * 34}"}}'),
        ("settings.py", f"STRIPE = 'sk_live_{'a1' * 12}'"),
        ("database.toml", "url = 'postgres://shop:correcthorse@db.example.com/shop'"),
    ],
)
def test_what_looks_like_a_secret(tmp_path, name, content):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    (found,) = sightings(DirectorySource(path=tmp_path))
    assert found.path == name
    assert content[:20] not in found.why or not content


def test_what_does_not(tmp_path):
    for name, content in {
        ".env.example": "A=",
        "a.py": "key = None",
        "id_rsa.pub": "ssh-rsa",
        "b.py": "sk-",
        "c.py": "password = os.environ['SHOP_DATABASE_PASSWORD_1']\napi_key = 'your-api-key-goes-here'",
        "d.py": "url = f'https://{user}:{password_of_the_user}@db'\nother = 'redis://me:password1@localhost/0'",
    }.items():
        (tmp_path / name).write_text(content)
    assert list(sightings(DirectorySource(path=tmp_path))) == []
    (tmp_path / ".env").write_text("A=1")
    assert list(sightings(DirectorySource(path=tmp_path, exclude=(".env",)))) == []


@pytest.mark.parametrize(
    ("url", "remote"),
    [
        (None, True),
        ("https://api.example.com/v1", True),
        ("http://localhost:8000/v1", False),
        ("http://127.0.0.1:1/v1", False),
        ("http://[::1]:8000/v1", False),
    ],
)
def test_which_servers_are_elsewhere(url, remote):
    assert is_remote(url) is remote


def test_only_models_elsewhere_are_of_interest(broken):
    folder = broken()["path"]
    (folder / ".env").write_text("A=1")

    def seen(**options):
        given = {"benchmark": "repo", "benchmark_options": {"path": str(folder)}, **options}
        return [item.path for item in prepare(load_config([], given)).sightings()]

    llm = {"agent": "llm", "model": "m"}
    assert seen(**llm, base_url="https://api.example.com/v1") == [".env"]
    assert seen(**llm, base_url="http://localhost:1/v1") == []
    assert seen(agent="random") == []
