"""What a web server and the `flask` command load."""

from config import Config
from shop.app import create_app

app = create_app(Config.from_env())
