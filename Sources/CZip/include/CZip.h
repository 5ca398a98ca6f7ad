#ifndef CZIP_H
#define CZIP_H

// libzip, as it is: nothing of it that we call is variadic or a macro.
#include <zip.h>

#endif
