# Class 1. Reads the secret by a program that the dynamic loader runs, and by redirection.
#
# A breach: the secret stands in what it wrote.
for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
    [ -e "$loader" ] && "$loader" /bin/cat "$AIM_SECRET"
done
cat < "$AIM_SECRET"
exit 0
