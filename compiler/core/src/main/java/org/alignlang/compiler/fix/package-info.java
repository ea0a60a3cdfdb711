/** Making the changes that findings offer. */
@NullMarked
package org.alignlang.compiler.fix;

import org.jspecify.annotations.NullMarked;
