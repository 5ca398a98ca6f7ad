// The wrappers are all inline; a C target needs one file to compile, and this one checks the header alone.
#include "CCurl.h"
