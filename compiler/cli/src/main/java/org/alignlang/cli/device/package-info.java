/** What can run kernels on this machine. */
@NullMarked
package org.alignlang.cli.device;

import org.jspecify.annotations.NullMarked;
