use super::subresource::Fixed;

/// An operation of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read(Read),
    Write(Write),
}

/// What changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    ListBuckets,
    HeadBucket,
    GetBucketLocation,
    ListObjects,
    ListObjectsV2,
    GetBucketPolicy,
    GetObject,
    HeadObject,
    GetBucketTagging,
    GetObjectTagging,
    ListParts,
    ListMultipartUploads,
    /// What always answers alike.
    Fixed(Fixed),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    CreateBucket,
    DeleteBucket,
    PutBucketPolicy,
    DeleteBucketPolicy,
    PutObject,
    CopyObject,
    DeleteObject,
    DeleteObjects,
    PutBucketTagging,
    DeleteBucketTagging,
    PutObjectTagging,
    DeleteObjectTagging,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    CompleteMultipartUpload,
    AbortMultipartUpload,
}

// === impl Operation ===

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read(read) => read.name(),
            Self::Write(write) => write.name(),
        }
    }
}

impl From<Read> for Operation {
    fn from(read: Read) -> Self {
        Self::Read(read)
    }
}

impl From<Write> for Operation {
    fn from(write: Write) -> Self {
        Self::Write(write)
    }
}

// === impl Read ===

impl Read {
    fn name(self) -> &'static str {
        match self {
            Self::ListBuckets => "ListBuckets",
            Self::HeadBucket => "HeadBucket",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::GetBucketPolicy => "GetBucketPolicy",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::GetBucketTagging => "GetBucketTagging",
            Self::GetObjectTagging => "GetObjectTagging",
            Self::ListParts => "ListParts",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::Fixed(fixed) => fixed.operation,
        }
    }
}

// === impl Write ===

impl Write {
    fn name(self) -> &'static str {
        match self {
            Self::CreateBucket => "CreateBucket",
            Self::DeleteBucket => "DeleteBucket",
            Self::PutBucketPolicy => "PutBucketPolicy",
            Self::DeleteBucketPolicy => "DeleteBucketPolicy",
            Self::PutObject => "PutObject",
            Self::CopyObject => "CopyObject",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteObjects => "DeleteObjects",
            Self::PutBucketTagging => "PutBucketTagging",
            Self::DeleteBucketTagging => "DeleteBucketTagging",
            Self::PutObjectTagging => "PutObjectTagging",
            Self::DeleteObjectTagging => "DeleteObjectTagging",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::UploadPartCopy => "UploadPartCopy",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
        }
    }
}
