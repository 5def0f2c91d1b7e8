use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use rolecall_accept::{CancellationToken, Peer, Unanswered};
use serde_json::{Value, json};

use super::{
    ApiError, ResourcePath, Target, Verb,
    accept::Form,
    authentication,
    body::{self, Body},
    discovery, list, options, patch,
    query::Query,
    table, unknown_fields,
    watch::{View, Watch},
};
use crate::{
    fault::Faults,
    journal::{Journal, RequestRecord},
    registry::{Part, Registry},
    store::{Key, Resource},
    users::{Identity, Users},
};

/// The API server of one cluster, as one listener serves it.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) registry: Arc<Registry>,
    pub(crate) users: Arc<Users>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) faults: Arc<Faults>,
    /// Ends the open watches when the listener ends.
    pub(crate) stop: CancellationToken,
}

// === impl Api ===

impl Api {
    /// Answers one request and records it. The order is the server's: who, may he, is it there.
    pub(crate) async fn answer(self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let query = Query::parse(request.uri().query());
        let target = Target::parse(request.uri().path());
        let verb = Verb::of(request.method(), &target, query.flag("watch"));
        let mut record = RequestRecord {
            sequence: 0,
            at: self.registry.clock.wall(),
            method: request.method().to_string(),
            path: request
                .uri()
                .path_and_query()
                .map_or_else(|| request.uri().path().to_owned(), ToString::to_string),
            verb: match target {
                Target::Resource(_) if verb != Verb::Other => verb.to_string(),
                _ => request.method().as_str().to_ascii_lowercase(),
            },
            user: String::new(),
            status: 0,
            from: peer.remote,
        };
        let mut down = false;
        let response = match self.users.authenticate(&self.registry, request.headers()) {
            Err(error) => Err(error),
            Ok(identity) => {
                record.user = identity.name().to_owned();
                down = !identity.is_privileged() && self.faults.is_down();
                match self
                    .befall(&identity)
                    .await
                    .and_then(|()| identity.authorize(verb, &target))
                {
                    Err(error) => Err(error),
                    Ok(()) if down => Err(ApiError::injected(StatusCode::SERVICE_UNAVAILABLE, None)),
                    Ok(()) => self.dispatch(&identity, verb, target, &query, request).await,
                }
            }
        };
        let mut response = response.unwrap_or_else(|error| error.to_response());
        if down {
            response.extensions_mut().insert(Unanswered);
        }
        record.status = response.status().as_u16();
        self.journal.push(record);
        response
    }

    /// What the faults make of a request by `identity`.
    async fn befall(&self, identity: &Identity) -> Result<(), ApiError> {
        if identity.is_privileged() {
            return Ok(());
        }
        let (delay, error) = self.faults.of_request();
        tokio::time::sleep(delay).await;
        match error {
            Some((status, reason)) => Err(ApiError::injected(status, reason)),
            None => Ok(()),
        }
    }

    async fn dispatch(
        &self,
        identity: &Identity,
        verb: Verb,
        target: Target,
        query: &Query,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, ApiError> {
        match target {
            Target::Other(_) if verb != Verb::Get => Err(ApiError::method_not_allowed()),
            Target::Other(path) => discovery::answer(&path, &request, &self.registry.issuer),
            Target::Resource(path) => {
                if let Some(kind) = authentication::kind_at(&path) {
                    return self.answer_creation(identity, kind, verb, &path, query, request).await;
                }
                let Some(resource) = Resource::find(&path.group, &path.version, &path.resource) else {
                    return Err(discovery::unknown(&path.group));
                };
                self.resource(identity, verb, resource, path, query, request).await
            }
        }
    }

    async fn resource(
        &self,
        identity: &Identity,
        verb: Verb,
        resource: Resource,
        path: ResourcePath,
        query: &Query,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, ApiError> {
        let part = match path.subresource.as_deref() {
            None => Part::Main,
            Some("status") if resource.has_status() => Part::Status,
            Some(_) => return Err(ApiError::unknown_path()),
        };
        // A namespace's own path names it twice; what is of the whole cluster is in no namespace.
        let namespace = path.namespace.filter(|_| resource != Resource::Namespaces);
        let misplaced = match resource.is_namespaced() {
            true => namespace.is_none() && path.name.is_some(),
            false => namespace.is_some(),
        };
        if misplaced {
            return Err(ApiError::unknown_path());
        }
        let changes = !matches!(verb, Verb::Get | Verb::List | Verb::Watch);
        if changes && !query.text("dryRun").is_empty() {
            return Err(ApiError::bad_request(
                "dryRun is not supported by this server; leave it out",
            ));
        }
        let key = path
            .name
            .as_deref()
            .map(|name| Key::new(resource, namespace.as_deref().unwrap_or_default(), name));
        let (head, sent) = request.into_parts();
        let media_type = body::media_type(&head.headers);
        let registry = &self.registry;
        let form = Form::of(&head.headers, query)?;
        let now = registry.clock.wall();
        let hidden = identity.is_privileged();
        match (verb, key) {
            (Verb::Get, Some(key)) => {
                let found = registry.store.read(|state| {
                    let found = state.get(&key).filter(|_| hidden || !state.is_hidden(&key));
                    found.cloned()
                });
                let found = found.ok_or_else(|| ApiError::not_found(resource, &key.name))?;
                Ok(match form {
                    Form::Object => object(StatusCode::OK, resource, &found),
                    Form::Table(include) => {
                        let version = crate::store::object::text(&found, "/metadata/resourceVersion");
                        let metadata = json!({"resourceVersion": version});
                        let table = table::of(resource, [&*found], metadata, include, now);
                        body::json(StatusCode::OK, &table)
                    }
                })
            }
            (Verb::List, None) => {
                let selection = options::selection(resource, namespace, None, query, hidden)?;
                let list = list::list(&registry.store, &selection, query)?;
                Ok(match form {
                    Form::Object => body::json(StatusCode::OK, &list),
                    Form::Table(include) => {
                        let items = crate::store::object::items(&list, "/items");
                        let table = table::of(resource, items, list["metadata"].clone(), include, now);
                        body::json(StatusCode::OK, &table)
                    }
                })
            }
            (Verb::Watch, key) => {
                let selection = options::selection(resource, namespace, key.as_ref(), query, hidden)?;
                let faults = (!identity.is_privileged()).then(|| self.faults.clone());
                let view = View {
                    selection,
                    form,
                    faults,
                };
                let watch = Watch::start(registry.clone(), view, query, self.stop.clone())?;
                Ok(body::lines(watch.into_stream()))
            }
            (Verb::Create, None) if part == Part::Main => {
                if resource.is_namespaced() && namespace.is_none() {
                    return Err(ApiError::method_not_allowed());
                }
                let wanted = body::decode(resource.kind(), &media_type, &body::read(sent).await?)?;
                let warnings = unknown_fields::of_body(resource, &wanted, query, "CreateOptions")?;
                let made = registry.create(resource, namespace.as_deref(), wanted)?;
                Ok(warned(object(StatusCode::CREATED, resource, &made), &warnings))
            }
            (Verb::Update, Some(key)) => {
                let wanted = body::decode(resource.kind(), &media_type, &body::read(sent).await?)?;
                let warnings = unknown_fields::of_body(resource, &wanted, query, "UpdateOptions")?;
                let updated = registry.update(&key, part, |_| Ok(wanted))?;
                Ok(warned(object(StatusCode::OK, resource, &updated), &warnings))
            }
            (Verb::Patch, Some(key)) => {
                let sent = body::read(sent).await?;
                let patch = patch::Patch::parse(&media_type, &sent)?;
                let mut warnings = Vec::new();
                let updated = registry.update(&key, part, |current| {
                    let patched = patch.apply(current)?;
                    warnings = unknown_fields::of_patch(resource, &patched, query, &sent)?;
                    Ok(patched)
                })?;
                Ok(warned(object(StatusCode::OK, resource, &updated), &warnings))
            }
            (Verb::Delete, Some(key)) if part == Part::Main => {
                let options = options::delete(&media_type, &body::read(sent).await?, query)?;
                let last = registry.delete(&key, &options)?;
                let ended = !crate::store::object::has(&last, "/metadata/deletionTimestamp");
                Ok(match resource {
                    Resource::Nodes | Resource::DaemonSets | Resource::Deployments if ended => {
                        body::json(StatusCode::OK, &options::deleted(resource, &last))
                    }
                    _ => object(StatusCode::OK, resource, &last),
                })
            }
            (Verb::DeleteCollection, None) if resource.is_namespaced() && namespace.is_some() => {
                let selection = options::selection(resource, namespace, None, query, hidden)?;
                let options = options::delete(&media_type, &body::read(sent).await?, query)?;
                let list = list::list(&registry.store, &selection, query)?;
                for item in crate::store::object::items(&list, "/items") {
                    let text = |pointer| crate::store::object::text(item, pointer);
                    let key = Key::new(resource, text("/metadata/namespace"), text("/metadata/name"));
                    match registry.delete(&key, &options) {
                        Err(error) if error.code() != StatusCode::NOT_FOUND => return Err(error),
                        _ => {}
                    }
                }
                Ok(body::json(StatusCode::OK, &list))
            }
            _ => Err(ApiError::method_not_allowed()),
        }
    }
}

fn warned(mut response: Response<Body>, warnings: &[String]) -> Response<Body> {
    body::warn(&mut response, warnings);
    response
}

/// An object with the two fields that say what it is.
fn object(status: StatusCode, resource: Resource, object: &Value) -> Response<Body> {
    body::json(status, &named(resource, object))
}

/// An object as it stands alone on the wire, `kind` and `apiVersion` first.
pub(super) fn named(resource: Resource, object: &Value) -> Value {
    let mut named = serde_json::Map::new();
    named.insert("kind".to_owned(), resource.kind().into());
    named.insert("apiVersion".to_owned(), resource.api_version().into());
    for (field, value) in object.as_object().into_iter().flatten() {
        named.entry(field.as_str()).or_insert_with(|| value.clone());
    }
    Value::Object(named)
}
