/** Mending specs by the changes that findings offer. */
@NullMarked
package org.alignlang.cli.fix;

import org.jspecify.annotations.NullMarked;
