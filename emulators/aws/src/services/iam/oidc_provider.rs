use super::names::write_tags;
use crate::{
    answer::{Refusal, Xml, iso8601},
    authorise::Ask,
    services::{Call, Done, tags},
    state::OidcProvider,
};

/// Audiences and certificate thumbprints that a provider may have.
const CLIENT_IDS: usize = 100;
const THUMBPRINTS: usize = 5;

pub(super) fn create(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&["Url", "ClientIDList", "ThumbprintList", "Tags"])?;
    let url = params.required("Url")?;
    let issuer = url.strip_prefix("https://").filter(|rest| is_issuer(rest)).ok_or_else(|| {
        Refusal::new(
            400,
            "InvalidInput",
            "Invalid Open ID Connect Provider URL: it must begin with https:// and have neither port, query nor fragment",
        )
    })?;
    let client_ids = client_ids(params.list("ClientIDList", ""))?;
    let thumbprints = thumbprints(params.list("ThumbprintList", ""))?;
    let given = tags::read(params, "InvalidInput")?;
    let arn = format!(
        "arn:aws:iam::{}:oidc-provider/{issuer}",
        call.state[call.account].account
    );
    super::tag::check_create(
        call,
        "iam:CreateOpenIDConnectProvider",
        "iam:TagOpenIDConnectProvider",
        &arn,
        &given,
    )?;
    if call.state[call.account].oidc_providers.contains_key(&arn) {
        return Err(Refusal::exists(format!("Provider with url {url} already exists.")));
    }
    let provider = OidcProvider {
        arn: arn.clone(),
        issuer: issuer.to_owned(),
        client_ids,
        thumbprints,
        created: call.now,
        tags: given,
    };
    let mut xml = Xml::new();
    xml.text("OpenIDConnectProviderArn", &arn);
    write_tags(&mut xml, &provider.tags);
    call.state[call.account].oidc_providers.insert(arn, provider);
    Ok(Some(xml))
}

pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.params.only(&["OpenIDConnectProviderArn"])?;
    let provider = checked(call, "iam:GetOpenIDConnectProvider")?;
    let mut xml = Xml::new();
    xml.text("Url", &provider.issuer)
        .element("ClientIDList", |xml| members(xml, &provider.client_ids))
        .element("ThumbprintList", |xml| members(xml, &provider.thumbprints))
        .text("CreateDate", &iso8601(provider.created));
    write_tags(&mut xml, &provider.tags);
    Ok(Some(xml))
}

pub(super) fn list(call: &mut Call<'_>) -> Done {
    call.params.only(&[])?;
    call.gate
        .check(call.state, Ask::new("iam:ListOpenIDConnectProviders", "*"))?;
    let mut xml = Xml::new();
    xml.element("OpenIDConnectProviderList", |xml| {
        for arn in call.state[call.account].oidc_providers.keys() {
            xml.element("member", |xml| {
                xml.text("Arn", arn);
            });
        }
    });
    Ok(Some(xml))
}

/// Deleting one that is not there succeeds.
pub(super) fn delete(call: &mut Call<'_>) -> Done {
    call.params.only(&["OpenIDConnectProviderArn"])?;
    let arn = call.params.required("OpenIDConnectProviderArn")?;
    call.gate
        .check(call.state, Ask::new("iam:DeleteOpenIDConnectProvider", arn))?;
    call.state[call.account].oidc_providers.remove(arn);
    Ok(None)
}

pub(super) fn add_client_id(call: &mut Call<'_>) -> Done {
    call.params.only(&["OpenIDConnectProviderArn", "ClientID"])?;
    let id = call.params.required("ClientID")?;
    let provider = checked(call, "iam:AddClientIDToOpenIDConnectProvider")?;
    if provider.client_ids.iter().any(|other| other == id) {
        return Ok(None);
    }
    let ids = provider.client_ids.iter().map(String::as_str).chain([id]).collect();
    provider.client_ids = client_ids(ids)?;
    Ok(None)
}

pub(super) fn remove_client_id(call: &mut Call<'_>) -> Done {
    call.params.only(&["OpenIDConnectProviderArn", "ClientID"])?;
    let id = call.params.required("ClientID")?;
    let provider = checked(call, "iam:RemoveClientIDFromOpenIDConnectProvider")?;
    provider.client_ids.retain(|other| other != id);
    Ok(None)
}

pub(super) fn update_thumbprint(call: &mut Call<'_>) -> Done {
    call.params.only(&["OpenIDConnectProviderArn", "ThumbprintList"])?;
    let given = thumbprints(call.params.list("ThumbprintList", ""))?;
    checked(call, "iam:UpdateOpenIDConnectProviderThumbprint")?.thumbprints = given;
    Ok(None)
}

/// The provider named, after the caller was found to have permission for this action on it.
fn checked<'c>(call: &'c mut Call<'_>, action: &str) -> Result<&'c mut OidcProvider, Refusal> {
    let arn = call.params.required("OpenIDConnectProviderArn")?;
    call.gate.check(call.state, Ask::new(action, arn))?;
    let providers = &mut call.state[call.account].oidc_providers;
    providers.get_mut(arn).ok_or_else(|| no_provider(arn))
}

pub(super) fn no_provider(arn: &str) -> Refusal {
    Refusal::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"))
}

/// A host, and perhaps a path.
fn is_issuer(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
    !host.is_empty() && text.len() <= 247 && text.chars().all(good)
}

fn client_ids(ids: Vec<&str>) -> Result<Vec<String>, Refusal> {
    if ids.len() > CLIENT_IDS {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS}"),
        ));
    }
    match ids.iter().find(|id| !(1..=255).contains(&id.len())) {
        Some(odd) => Err(Refusal::validation(format!(
            "Invalid client id '{odd}': 1 to 255 characters"
        ))),
        None => Ok(ids.into_iter().map(str::to_owned).collect()),
    }
}

fn thumbprints(given: Vec<&str>) -> Result<Vec<String>, Refusal> {
    if given.len() > THUMBPRINTS {
        return Err(Refusal::new(
            400,
            "InvalidInput",
            "Thumbprint list must contain fewer than 5 entries.",
        ));
    }
    match given
        .iter()
        .find(|text| text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        Some(odd) => Err(Refusal::validation(format!(
            "1 validation error detected: Value '[{odd}]' at 'thumbprintList' failed to satisfy constraint: Member must \
             satisfy constraint: [Member must have length less than or equal to 40, Member must have length greater than \
             or equal to 40]"
        ))),
        None => Ok(given.into_iter().map(str::to_ascii_lowercase).collect()),
    }
}

fn members(xml: &mut Xml, texts: &[String]) {
    for text in texts {
        xml.text("member", text);
    }
}
