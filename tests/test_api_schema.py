"""The OpenAPI document: whatever schemathesis asks by it is answered as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection

from rustqa.feedback import FeedbackFile
from web_fixtures import kept_up, serve
