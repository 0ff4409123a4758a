//! A host made of a `State`, as strict as the kernel.
