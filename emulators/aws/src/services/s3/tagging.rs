use super::{S3Call, S3Read, bucket::NAMESPACE, object::no_key, xml_body::Element};
use crate::{
    answer::{Answer, Refusal, Xml},
    request::Received,
    services::tags,
    state::Tags,
};

/// Tags of an object, and of a bucket.
const OF_OBJECT: usize = 10;
const OF_BUCKET: usize = 50;

pub(super) fn get_object(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_object("s3:GetObjectTagging"))?;
    let object = call.bucket()?.objects.get(call.key());
    object
        .map(|object| shown(&object.tags))
        .ok_or_else(|| no_key(call.key()))
}

pub(super) fn put_object(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let given = body(call, OF_OBJECT)?;
    call.check(requested(call.ask_object("s3:PutObjectTagging"), &given))?;
    *of_object(call)? = given;
    Ok(Answer::empty(200))
}

pub(super) fn delete_object(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_object("s3:DeleteObjectTagging"))?;
    of_object(call)?.clear();
    Ok(Answer::empty(204))
}

pub(super) fn get_bucket(call: &mut S3Read<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_bucket("s3:GetBucketTagging"))?;
    let tags = &call.bucket()?.tags;
    if tags.is_empty() {
        return Err(
            Refusal::new(404, "NoSuchTagSet", "The TagSet does not exist").detail("BucketName", call.bucket_name())
        );
    }
    Ok(shown(tags))
}

pub(super) fn put_bucket(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    let given = body(call, OF_BUCKET)?;
    call.check(requested(call.ask_bucket("s3:PutBucketTagging"), &given))?;
    call.bucket_mut()?.tags = given;
    Ok(Answer::empty(204))
}

pub(super) fn delete_bucket(call: &mut S3Call<'_>) -> Result<Answer, Refusal> {
    call.check(call.ask_bucket("s3:PutBucketTagging"))?;
    call.bucket_mut()?.tags.clear();
    Ok(Answer::empty(204))
}

/// `x-amz-tagging`, the tags that an object is put with.
pub(super) fn header(request: &Received) -> Result<Tags, Refusal> {
    let text = request.header("x-amz-tagging").unwrap_or_default();
    let given = form_urlencoded::parse(text.as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    checked(given, OF_OBJECT)
}

/// Adds to a question which tags the request carries.
pub(super) fn requested(mut ask: crate::authorise::Ask, given: &Tags) -> crate::authorise::Ask {
    for (key, value) in given {
        ask = ask.context(&format!("s3:RequestObjectTag/{key}"), value);
    }
    if given.is_empty() {
        ask
    } else {
        ask.contexts("s3:RequestObjectTagKeys", given.iter().map(|(key, _)| key))
    }
}

fn of_object<'c>(call: &'c mut S3Call<'_>) -> Result<&'c mut Tags, Refusal> {
    let key = call.key().to_owned();
    let object = call.bucket_mut()?.objects.get_mut(&key);
    object.map(|object| &mut object.tags).ok_or_else(|| no_key(&key))
}

fn body(call: &S3Call<'_>, most: usize) -> Result<Tags, Refusal> {
    let tagging = Element::parse(&call.payload.body, "Tagging")?;
    let given = tagging
        .all("TagSet")
        .flat_map(|set| set.all("Tag"))
        .map(|tag| {
            let text = |name| tag.get(name).unwrap_or_default().to_owned();
            (text("Key"), text("Value"))
        })
        .collect();
    checked(given, most)
}

fn checked(given: Tags, most: usize) -> Result<Tags, Refusal> {
    let invalid = |message: String| Refusal::new(400, "InvalidTag", message);
    if given.len() > most {
        return Err(Refusal::new(
            400,
            "BadRequest",
            format!("Object tags cannot be greater than {most}"),
        ));
    }
    for (n, (key, value)) in given.iter().enumerate() {
        if tags::check("key", key, 1..=128).is_err() {
            return Err(invalid("The TagKey you have provided is invalid".to_owned()));
        }
        if tags::check("value", value, 0..=256).is_err() {
            return Err(invalid("The TagValue you have provided is invalid".to_owned()));
        }
        if given[..n].iter().any(|(other, _)| other == key) {
            return Err(invalid("Cannot provide multiple Tags with the same key".to_owned()));
        }
    }
    Ok(given)
}

fn shown(tags: &Tags) -> Answer {
    let mut xml = Xml::document();
    xml.element(&format!("Tagging {NAMESPACE}"), |xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in tags {
                xml.element("Tag", |xml| {
                    xml.text("Key", key).text("Value", value);
                });
            }
        });
    });
    Answer::ok("application/xml", xml.finish())
}
