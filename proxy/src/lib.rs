//! A metadata proxy that hands each pod the AWS role it may have.
