"""The commands of `stlflow eiger`: each calls one operation of the cloud."""
