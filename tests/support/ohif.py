"""OHIF as its makers deliver it, behind nginx beside Orthanc, with pyloader's dist/ in a folder."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import Any

from tests.support.npm import alone, run
from tests.support.orthanc import Orthanc
from tests.support.pages import DIST
from tests.support.program import Program, free_ports

NAME, VERSION = "@ohif/app", "3.13.2"
# As the registry has it for this version.
INTEGRITY = (
    "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F"
    "87BKxFfpq+jd5xXZB9E8EA=="
)
NGINX = r"""
user @user@;
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  types { text/javascript mjs; }
  log_format entry escape=json
    '{"path":"$request_uri","status":$status,"authorization":"$http_authorization"}';
  access_log access.log entry;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:@front@;
    add_header Cross-Origin-Opener-Policy same-origin;
    add_header Cross-Origin-Embedder-Policy require-corp;
    root @ohif@;
    location / { try_files $uri /index.html; }
    location = /app-config.js { alias @folder@/app-config.js; }
    location /pyloader/ { alias @dist@/; }
    location /json/ { alias @folder@/json/; }
    location ~ ^/(dicom-web/|wado$) {
      add_header Access-Control-Allow-Origin * always;
      add_header Access-Control-Allow-Headers "Accept, Authorization, Range" always;
      if ($request_method = OPTIONS) { return 204; }
      include auth.conf;
      proxy_pass http://127.0.0.1:@back@;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header Forwarded "proto=$scheme;host=$http_host";
      proxy_buffering off;
    }
  }
}
"""
ENTRY = """
  import('/pyloader/ohif.mjs').then((pyloader) => pyloader.default, (error) => ({
    id: 'pyloader', preRegistration: () => console.error('pyloader is not used:', error),
  })),
"""
# The user of a test, whose token a test changes.
SIGNED_IN = """
  {
    id: 'test-sign-in',
    preRegistration({ servicesManager }) {
      servicesManager.services.userAuthenticationService.setServiceImplementation({
        getAuthorizationHeader: () => ({ Authorization: `Bearer ${window.token}` }),
      });
    },
  },
"""


def app() -> Path:
    """Return the folder of OHIF's files, from the download cache."""
    from web.build.common import download_cache

    folder = download_cache() / f"ohif-{VERSION}"
    with alone(folder):
        if not (folder / "done").exists():
            tarball = (
                folder / run("npm", "pack", f"{NAME}@{VERSION}", "--silent", cwd=folder).strip()
            )
            digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
            assert f"sha512-{digest}" == INTEGRITY, f"{tarball.name} is another file than pinned"
            run("tar", "xzf", tarball.name, "package/dist", cwd=folder)
            tarball.unlink()
            (folder / "done").touch()
    return folder / "package/dist"


@dataclass
class Ohif:
    """The app, behind its nginx.

    Attributes
    ----------
    orthanc : Orthanc
        Where its images are.
    files : Path
        OHIF's own.
    dist : Path
        pyloader's, served below ``/pyloader/``.
    """

    orthanc: Orthanc
    files: Path
    dist: Path = DIST
    folder: Path = field(init=False)

    def start(self) -> None:
        """Serve on a free port."""
        self.folder = Path(tempfile.mkdtemp(prefix="ohif-"))
        self.folder.chmod(0o755)
        (self.folder / "json").mkdir()
        (front,) = free_ports(1)
        self.nginx = Program(
            ["nginx", "-p", f"{self.folder}/", "-c", f"{self.folder}/nginx.conf", "-e", "stderr"],
            self.folder,
            front,
        )
        values = {
            "user": getuser(),  # whose files its workers read
            "front": front,
            "back": self.orthanc.orthanc.port,
            "ohif": self.files,
            "dist": self.dist,
            "folder": self.folder,
        }
        configuration = NGINX
        for name, value in values.items():
            configuration = configuration.replace(f"@{name}@", str(value))
        (self.folder / "nginx.conf").write_text(configuration)
        (self.folder / "auth.conf").write_text("")
        self.configure()
        self.nginx.start()

    def stop(self) -> None:
        """End nginx, and remove what it wrote."""
        self.nginx.stop()
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        """The app's origin."""
        return f"http://127.0.0.1:{self.nginx.port}"

    def configure(self, *entries: str, root: str = "") -> None:
        """Write the app's configuration, with extensions, and the DICOMweb server's address."""
        sources = json.dumps(data_sources(root))
        (self.folder / "app-config.js").write_text(f"""
window.config = {{
  routerBasename: '/', extensions: [{"".join(entries)}], modes: [], showStudyList: true,
  maxNumberOfWebWorkers: 3, showLoadingIndicator: true, strictZSpacingForVolumeViewport: true,
  investigationalUseDialog: {{ option: 'never' }},
  defaultDataSourceName: 'dicomweb', dataSources: {sources},
}};
""")

    def require(self, *tokens: str) -> None:
        """Answer 401 from now on to who has none of these tokens; to nobody without any."""
        wanted = "|".join(f"Bearer {token}" for token in tokens)
        rule = f'if ($http_authorization !~ "^({wanted})$") {{ return 401; }}\n' if tokens else ""
        (self.folder / "auth.conf").write_text(rule)
        assert self.nginx.process
        before = self.workers()
        self.nginx.process.send_signal(signal.SIGHUP)
        while before & self.workers():  # those of the former rule end with their last answer
            time.sleep(0.02)

    def workers(self) -> set[str]:
        """Return the ids of the processes that answer."""
        assert self.nginx.process
        number = self.nginx.process.pid
        return {*Path(f"/proc/{number}/task/{number}/children").read_text().split()}

    def log(self) -> list[dict[str, Any]]:
        """Return what was asked for so far."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def forget(self) -> None:
        """Begin the log anew."""
        (self.folder / "access.log").write_text("")


def data_sources(root: str) -> list[dict[str, Any]]:
    """Return OHIF's data sources: a DICOMweb server, studies in JSON, and files of the user."""
    dicomweb = {
        "friendlyName": "Orthanc",
        "name": "orthanc",
        "wadoUriRoot": f"{root}/wado",
        "qidoRoot": f"{root}/dicom-web",
        "wadoRoot": f"{root}/dicom-web",
        "qidoSupportsIncludeField": False,
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "supportsFuzzyMatching": False,
        "supportsWildcard": True,
        "bulkDataURI": {"enabled": True},
    }
    namespace = "@ohif/extension-default.dataSourcesModule."
    return [
        {"namespace": f"{namespace}dicomweb", "sourceName": "dicomweb", "configuration": dicomweb},
        {
            "namespace": f"{namespace}dicomjson",
            "sourceName": "dicomjson",
            "configuration": {"friendlyName": "JSON", "name": "json"},
        },
        {
            "namespace": f"{namespace}dicomlocal",
            "sourceName": "dicomlocal",
            "configuration": {"friendlyName": "local"},
        },
    ]
