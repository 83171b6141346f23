"""AWS's own models of its services."""

import botocore.session

of_service = botocore.session.get_session().get_service_model
