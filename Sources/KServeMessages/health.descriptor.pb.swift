// Made by Scripts/protos.py. Do not edit.
// swift-format-ignore-file

/// The serialized descriptor of health.proto, in base64.
package let healthDescriptor = """
    CgxoZWFsdGgucHJvdG8SDmdycGMuaGVhbHRoLnYxIi4KEkhlYWx0aENoZWNrUmVxdWVzdBIYCgdzZXJ2aWNlGAEgASgJUgdzZXJ2\
    aWNlIrEBChNIZWFsdGhDaGVja1Jlc3BvbnNlEkkKBnN0YXR1cxgBIAEoDjIxLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVz\
    cG9uc2UuU2VydmluZ1N0YXR1c1IGc3RhdHVzIk8KDVNlcnZpbmdTdGF0dXMSCwoHVU5LTk9XThAAEgsKB1NFUlZJTkcQARIPCgtO\
    T1RfU0VSVklORxACEhMKD1NFUlZJQ0VfVU5LTk9XThADMrIBCgZIZWFsdGgSUgoFQ2hlY2sSIi5ncnBjLmhlYWx0aC52MS5IZWFs\
    dGhDaGVja1JlcXVlc3QaIy5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1Jlc3BvbnNlIgASVAoFV2F0Y2gSIi5ncnBjLmhlYWx0\
    aC52MS5IZWFsdGhDaGVja1JlcXVlc3QaIy5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1Jlc3BvbnNlIgAwAWIGcHJvdG8z
    """
