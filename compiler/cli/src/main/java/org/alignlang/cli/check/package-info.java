/** Checking specs, and the forms in which findings are shown. */
@NullMarked
package org.alignlang.cli.check;

import org.jspecify.annotations.NullMarked;
