//! An AWS front that authenticates and authorises every request.
