/** Laying specs out, in place or to look at. */
@NullMarked
package org.alignlang.cli.format;

import org.jspecify.annotations.NullMarked;
