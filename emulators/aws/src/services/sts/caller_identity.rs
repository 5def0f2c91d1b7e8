use crate::{
    answer::Xml,
    services::{Call, Done},
};

/// Needs no permission, and no policy can deny it.
pub(super) fn get(call: &mut Call<'_>) -> Done {
    call.gate.needs_no_permission("sts:GetCallerIdentity");
    call.params.only(&[])?;
    let who = call.gate.who();
    let account = &call.state[call.account].account;
    let mut xml = Xml::new();
    xml.text("Arn", who.arn())
        .text("UserId", &who.identity.user_id(account))
        .text("Account", account);
    Ok(Some(xml))
}
