"""API Gateway: an export is what was deployed, as OpenAPI 3 or Swagger 2; what was exported can be imported again."""

import copy
import json
import re

import yaml
from moto.apigateway.models import APIGatewayBackend

from ..state import rfc3339
from ..wire import Response
from .registry import Refused, after, answered, before, rewrite

KINDS = ("oas30", "swagger")
INTEGRATION = "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
# Members of moto's integration and of the extension, by the name that both have.
PLAIN = (
    "type uri passthroughBehavior requestTemplates requestParameters contentHandling credentials connectionType tlsConfig "
    "cacheNamespace timeoutInMillis"
).split()
ARGUMENTS = {
    "integration_type": "type",
    "uri": "uri",
    "integration_method": "httpMethod",
    "credentials": "credentials",
    "request_templates": "requestTemplates",
    "passthrough_behavior": "passthroughBehavior",
    "tls_config": "tlsConfig",
    "cache_namespace": "cacheNamespace",
    "timeout_in_millis": "timeoutInMillis",
    "request_parameters": "requestParameters",
    "content_handling": "contentHandling",
    "connection_type": "connectionType",
}
PLACES = {"querystring": "query", "path": "path", "header": "header"}


def _api(deed):
    return deed.backend().apis.get(deed.given["restapi_id"])


@after("apigateway", "CreateDeployment")
def _keep_what_is_deployed(deed, response):
    api = _api(deed)
    deployment = api.deployments[json.loads(response.body)["id"]]
    deployment.created_date = int(deed.now)
    deployment.resources = copy.deepcopy(api.resources)
    rewrite(response, lambda members: members.update(createdDate=int(deed.now)))


@before("apigateway", "GetExport")
def _export(deed):
    given, api = deed.given, _api(deed)
    stage = api and api.stages.get(given["stage_name"])
    if not stage:
        raise Refused(404, "NotFoundException", "Invalid stage identifier specified")
    if given["export_type"] not in KINDS:
        raise Refused(400, "BadRequestException", f"No API exporter for type '{given['export_type']}'")
    deployment = api.deployments[stage.deployment_id]
    document = _document(api, deployment, given["stage_name"], given["export_type"], given.get("extensions"))
    if deed.request.headers.get("accept") == "application/yaml":
        body, kind = yaml.safe_dump(document, sort_keys=False), "application/yaml"
    else:
        body, kind = json.dumps(document, indent=2), "application/json"
    name = f"{given['export_type']}_{rfc3339(deployment.created_date)}.{kind.rpartition('/')[2]}"
    return Response(200, {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}, body.encode())


def _document(api, deployment, stage, kind, extensions):
    info = {"title": api.name, "version": rfc3339(deployment.created_date)}
    if api.description:
        info["description"] = api.description
    host = f"{api.id}.execute-api.{api.region_name}.amazonaws.com"
    if kind == "oas30":
        variables = {"basePath": {"default": f"/{stage}"}}
        head = {"openapi": "3.0.1", "info": info, "servers": [{"url": f"https://{host}/{{basePath}}", "variables": variables}]}
    else:
        head = {"swagger": "2.0", "info": info, "host": host, "basePath": f"/{stage}", "schemes": ["https"]}
    paths = {}
    for one in sorted(getattr(deployment, "resources", {}).values(), key=lambda one: one.get_path()):
        shown = {_word(name): _operation(method, kind, extensions) for name, method in one.resource_methods.items()}
        if shown:
            paths[one.get_path()] = shown
    return {**head, "paths": paths, **({"components": {}} if kind == "oas30" else {})}


def _word(method):
    return ANY if method == "ANY" else method.lower()


def _operation(method, kind, extensions):
    shown = {"operationId": method.operation_name} if method.operation_name else {}
    parameters = [_parameter(name, needed, kind) for name, needed in sorted((method.request_parameters or {}).items())]
    if parameters:
        shown["parameters"] = parameters
    shown["responses"] = {code: {"description": f"{code} response"} for code in sorted(method.method_responses)}
    if method.api_key_required:
        shown["security"] = [{"api_key": []}]
    if method.method_integration and extensions in ("integrations", "apigateway"):
        shown[INTEGRATION] = _integration(method.method_integration)
    return shown


def _parameter(name, needed, kind):
    _, _, place, word = name.split(".", 3)
    told = {"name": word, "in": PLACES[place], "required": bool(needed) or place == "path"}
    return {**told, **({"schema": {"type": "string"}} if kind == "oas30" else {"type": "string"})}


def _integration(integration):
    plain = integration.to_json()
    shown = {name: plain[name] for name in PLAIN if plain.get(name) not in (None, {}, [])}
    if integration.http_method:
        shown["httpMethod"] = integration.http_method
    responses = {}
    for one in (integration.integration_responses or {}).values():
        told = {"statusCode": one.status_code}
        told |= {"responseTemplates": one.response_templates} if one.response_templates else {}
        told |= {"responseParameters": one.response_parameters} if one.response_parameters else {}
        responses[one.selection_pattern or "default"] = told
    return {**shown, **({"responses": responses} if responses else {})}


# -- the way back --------------------------------------------------------------------------------------------


def _parsed(deed):
    try:
        document = yaml.safe_load(deed.request.body)
    except yaml.YAMLError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise Refused(400, "BadRequestException", "Invalid OpenAPI input.")
    version = str(document.get("swagger") or document.get("openapi") or "")
    if not re.match(r"2\.0$|3\.0", version):
        raise Refused(400, "BadRequestException", "Invalid OpenAPI input. Unsupported version.")
    return document


@before("apigateway", "PutRestApi")
def _put(deed):
    document, api, mode = _parsed(deed), _api(deed), deed.given.get("mode", "merge")
    if api is None:
        return None
    if mode == "overwrite":
        api.resources = {api.default.id: api.default}
        api.default.resource_methods = {}
        api.name = (document.get("info") or {}).get("title") or api.name
        api.description = (document.get("info") or {}).get("description")
    _build(deed.backend(), api, document)
    return answered(api.to_dict())


@before("apigateway", "ImportRestApi")
def _import(deed):
    document = _parsed(deed)
    info = document.get("info") or {}
    api = deed.backend().create_rest_api(name=info.get("title") or "Imported API", description=info.get("description"))
    _build(deed.backend(), api, document)
    return answered(api.to_dict(), 201)


def _build(backend: APIGatewayBackend, api, document):
    for path, operations in sorted(document["paths"].items()):
        place = api.default
        for part in path.strip("/").split("/") if path != "/" else ():
            whole = place.get_path().rstrip("/") + "/" + part
            place = api.get_resource_for_path(whole) or backend.create_resource(api.id, place.id, part)
        for word, operation in operations.items():
            if word == ANY or word.upper() in ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"):
                _build_method(backend, api, place, "ANY" if word == ANY else word.upper(), operation)


def _build_method(backend, api, place, name, operation):
    back = {shown: kept for kept, shown in PLACES.items()}
    parameters = {
        f"method.request.{back[one['in']]}.{one['name']}": bool(one.get("required"))
        for one in operation.get("parameters", ())
        if one.get("in") in back
    }
    key = any("api_key" in one for one in operation.get("security", ()))
    backend.put_method(
        api.id,
        place.id,
        name,
        "NONE",
        api_key_required=key,
        request_parameters=parameters or None,
        operation_name=operation.get("operationId"),
    )
    for code in operation.get("responses", {}):
        backend.put_method_response(api.id, place.id, name, str(code), None, None)
    given = operation.get(INTEGRATION)
    if given:
        arguments = {mine: given.get(theirs) for mine, theirs in ARGUMENTS.items()}
        backend.put_integration(api.id, place.id, name, **arguments)
        for pattern, one in given.get("responses", {}).items():
            pattern = "" if pattern == "default" else pattern
            templates, shown = one.get("responseTemplates"), one.get("responseParameters")
            backend.put_integration_response(api.id, place.id, name, str(one["statusCode"]), pattern, templates, shown)
